export { campaign } from './campaign.ts';
export { housekeeping } from './housekeeping.ts';
export { run } from './run.ts';
