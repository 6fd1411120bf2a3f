export { campaign } from './campaign.ts';
export { run } from './run.ts';
