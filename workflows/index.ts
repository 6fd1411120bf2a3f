export { alerts, notification } from './alerts.ts';
export { answer } from './answer.ts';
export { campaign } from './campaign.ts';
export { housekeeping } from './housekeeping.ts';
export { lookUps } from './look-ups.ts';
export { reports } from './reports.ts';
export { reply } from './reply.ts';
export { run } from './run.ts';
export { ticketPosts } from './ticket-posts.ts';
