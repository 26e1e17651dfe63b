// Work for the processor alone: no memory to speak of, nothing to wait for.
export default (limit) => {
  let primes = 0;
  for (let n = 2; n < limit; n++) if (isPrime(n)) primes++;
  return primes;
};

function isPrime(n) {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
