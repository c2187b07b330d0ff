import { start } from './start.js';
await start('rank-eval');
