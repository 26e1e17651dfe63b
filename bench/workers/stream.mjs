// The same chunks as a plugin makes them.
export default function* stream(count) {
  for (let id = 0; id < count; id++) yield { id, text: 'token' };
}
