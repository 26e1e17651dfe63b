import { move } from 'piscina';

export default (bytes) => move(bytes);
