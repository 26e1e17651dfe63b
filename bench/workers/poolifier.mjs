// Its worker cannot move a result: it is copied.
import { workerData } from 'node:worker_threads';

import { ThreadWorker } from 'poolifier';

const { default: work } = await import(workerData.work);

export default new ThreadWorker((input) => work(input));
