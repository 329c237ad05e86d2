// Worker: compiles one WASM module. A thread of its own, since this clang would block the event loop for seconds, and with it
// the start of the addon's compilers.

import { parentPort, workerData } from 'node:worker_threads';
import { runClang } from '@yowasp/clang';

const { args, files, product } = workerData;
const fetchProgress = () => {};
await runClang(null, {}, { fetchProgress }); // loads the compiler; otherwise that is reported on standard output
let messages = '';
try {
  const built = await runClang(args, files, {
    fetchProgress,
    stderr: (bytes) => {
      messages += bytes ? new TextDecoder().decode(bytes) : '';
    },
  });
  parentPort.postMessage({ module: built[product] });
} catch (error) {
  const line = messages.split('\n').find((text) => text.includes('error')) ?? error.message;
  parentPort.postMessage({ failure: line.trim() });
}
