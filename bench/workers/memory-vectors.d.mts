export default function embed(texts: string[]): Float32Array[];
export function vectorOf(text: string): Float32Array;
