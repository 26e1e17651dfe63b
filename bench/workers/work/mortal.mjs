// Ends its own life on request, and answers otherwise.
import process from 'node:process';

export default (input) => {
  if (input === 'exit') process.exit(1);
  if (input === 'kill') process.kill(process.pid, 'SIGKILL');
  return input;
};
