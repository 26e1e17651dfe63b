;; Asks another plugin, whose id is the config's "ask", about its input, and gives back the answer.
(module
  (import "extism:host/env" "input_offset" (func $input (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "troupe:host/env" "call" (func $call (param i64 i64) (result i64)))
  (import "troupe:host/env" "error" (func $error (result i64)))

  (memory (export "memory") 1)
  (data (i32.const 0) "ask")

  ;; A block with a text of this module's memory.
  (func $block (param $from i32) (param $bytes i32) (result i64)
    (local $at i64) (local $i i32)
    (local.set $at (call $alloc (i64.extend_i32_u (local.get $bytes))))
    (loop $again
      (call $store
        (i64.add (local.get $at) (i64.extend_i32_u (local.get $i)))
        (i32.load8_u (i32.add (local.get $from) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $bytes))))
    (local.get $at))

  (func (export "execute") (result i32)
    (local $answer i64)
    (local.set $answer
      (call $call
        (call $config_get (call $block (i32.const 0) (i32.const 3)))
        (call $input)))
    (if (i64.eqz (local.get $answer))
      (then (call $error_set (call $error)) (return (i32.const 1))))
    (call $output_set (local.get $answer) (call $length (local.get $answer)))
    (i32.const 0)))
