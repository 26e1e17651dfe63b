// Takes its thread for so long, without ever giving way.
export default (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
  return ms;
};
