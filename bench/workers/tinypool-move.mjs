import { Tinypool } from 'tinypool';

export default (bytes) => Tinypool.move(bytes);
