/** A service that fails two times of three. */
let asked = 0;

export default (text) => {
  asked++;
  if (asked % 3 !== 0) throw new Error('the service is busy');
  return text.toUpperCase();
};
