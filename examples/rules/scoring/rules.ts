/** The rules that are edited while the service runs. */
export interface Order {
  readonly amount: number;
  readonly country: string;
  readonly isNewCustomer: boolean;
}

interface Rule {
  readonly reason: string;
  readonly points: number;
  readonly applies: (order: Order) => boolean;
}

export const rules: readonly Rule[] = [
  { reason: 'large', points: 20, applies: ({ amount }) => amount > 500 },
  { reason: 'new customer', points: 10, applies: ({ isNewCustomer }) => isNewCustomer },
];
