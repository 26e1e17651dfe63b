// Counts vowels, and in a variable how many there were in all calls together.
import { Config, Host, Var } from '@extism/as-pdk';

export function execute(): i32 {
  const text = Host.inputString();
  const setting = Config.get('vowels');
  const vowels = setting === null ? 'aeiouAEIOU' : setting;
  let count = 0;
  for (let i = 0; i < text.length; i++) if (vowels.includes(text.charAt(i))) count++;

  const before = Var.getString('total');
  const total = (before === null ? 0 : I32.parseInt(before)) + count;
  Var.set('total', Uint8Array.wrap(String.UTF8.encode(total.toString())));

  Host.outputString(`{"count":${count},"total":${total}}`);
  return 0;
}

// Host functions of the runtime are declared like those of any module.
@external("troupe:host/env", "emit")
declare function emit(topic: u64, data: u64): i32;

@external("extism:host/env", "alloc")
declare function alloc(bytes: u64): u64;

@external("extism:host/env", "store_u8")
declare function store(at: u64, byte: u8): void;

export function announce(): i32 {
  return emit(block('vowels'), block(`"${Host.inputString()}"`));
}

function block(text: string): u64 {
  const bytes = Uint8Array.wrap(String.UTF8.encode(text));
  const at = alloc(bytes.length);
  for (let i = 0; i < bytes.length; i++) store(at + i, bytes[i]);
  return at;
}

export function fail(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
