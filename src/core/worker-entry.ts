// Where a worker of a pool starts when the pool was given the URL of a module.

import { serveTasks } from './worker-serve.ts';

serveTasks();
