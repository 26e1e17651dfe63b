/** The shop's tools. One record is broken, and takes the plugin's process down when it is read first. */
import { defineTool } from 'troupe/plugin';
import { z } from 'zod';

const ORDERS = new Map([
  [1041, { number: 1041, status: 'delivered', item: 'a kettle', cents: 3_900 }],
  [1042, { number: 1042, status: 'on its way', item: 'two lamps', cents: 8_450 }],
]);

const Order = z.object({
  number: z.number(),
  status: z.string(),
  item: z.string(),
  cents: z.number(),
});

const number = z.int().positive().describe('The number of the order');

export default [
  defineTool({
    name: 'find_order',
    description: 'Looks an order up by its number',
    input: z.object({ number }),
    output: Order,
    async execute({ number }, { ctx }) {
      await breakOnce(number, ctx);
      const order = ORDERS.get(number);
      if (!order) throw new Error(`there is no order ${number}; ask for the number again`);
      return order;
    },
  }),
  defineTool({
    name: 'refund_order',
    description: 'Gives the money of an order back',
    input: z.object({ number }),
    confirm: ({ number }) => `Give the money of order ${number} back?`,
    async execute({ number }, { ctx }) {
      const order = ORDERS.get(number);
      if (!order) throw new Error(`there is no order ${number}`);
      await ctx.state.update('refunds', (refunds = []) => [...refunds, number]);
      return { number, cents: order.cents };
    },
  }),
];

/** What a fault in a native library would do: the thread ends in the middle of the call. */
async function breakOnce(number, ctx) {
  const key = `broke on ${number}`;
  if (number !== 1042 || (await ctx.state.get(key))) return;
  await ctx.state.set(key, true);
  ctx.exit(new Error('the record of order 1042 is broken'));
}
