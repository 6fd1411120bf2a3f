export { campaign } from './campaign.ts';
export { housekeeping } from './housekeeping.ts';
export { lookUps } from './look-ups.ts';
export { reply } from './reply.ts';
export { run } from './run.ts';
export { ticketPosts } from './ticket-posts.ts';
