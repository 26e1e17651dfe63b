// The least a child process can do: answer each message with one.
import process from 'node:process';

process.on('message', (message) => {
  process.send(message);
});
