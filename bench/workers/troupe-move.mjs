import { transfer } from 'troupe/plugin';

export default (bytes) => transfer(bytes, [bytes.buffer]);
