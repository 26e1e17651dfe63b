/** Lets promises and microtasks that are due run; enough turns for any chain in a unit test. */
export async function turns(count = 60): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}
