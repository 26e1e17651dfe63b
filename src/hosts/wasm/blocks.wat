;; The memory that a guest and its host pass values through: blocks, which the guest allocates,
;; fills and names by their addresses. It is WebAssembly itself, so that a guest's loop over bytes
;; calls from one instance into another, and no 64-bit address becomes a BigInt on the way.
;;
;; A block of n bytes at address p (a multiple of 16): its head lies before it,
;;   p-16 capacity u32 · p-12 length u32 · p-8 mark u32, MARK xor p while it is alive · p-4 next free u32
;; 16…143 heads of the lists of free blocks, one for each power of two
(module
  ;; Does not return: what the guest did wrong (see blocks.ts), and with which address or length.
  (import "host" "refuse" (func $refuse (param i32 i64)))
  (import "host" "memory" (memory 1))

  (global $top (mut i32) (i32.const 160))
  (global $input (export "input") (mut i32) (i32.const 0))
  (global $input_bytes (export "inputBytes") (mut i32) (i32.const 0))
  (global $output (export "output") (mut i32) (i32.const 0))
  (global $output_bytes (export "outputBytes") (mut i32) (i32.const 0))
  (global $error (export "error") (mut i32) (i32.const 0))
  ;; The last length for which there was no room.
  (global $refused (export "refused") (mut i64) (i64.const 0))

  ;; A new call: nothing is allocated.
  (func (export "reset")
    (memory.fill (i32.const 0) (i32.const 0) (global.get $top))
    (global.set $top (i32.const 160))
    (global.set $input (i32.const 0))
    (global.set $input_bytes (i32.const 0))
    (global.set $output (i32.const 0))
    (global.set $output_bytes (i32.const 0))
    (global.set $error (i32.const 0))
    (global.set $refused (i64.const 0)))

  ;; 1 when all of n bytes at p lie where blocks are.
  (func $inside (param $p i64) (param $n i64) (result i32)
    (i32.and
      (i64.le_u (local.get $n) (i64.extend_i32_u (global.get $top)))
      (i32.and
        (i64.ge_u (local.get $p) (i64.const 176))
        (i64.le_u
          (local.get $p)
          (i64.sub (i64.extend_i32_u (global.get $top)) (local.get $n))))))

  (func $alive (param $p i64) (result i32)
    (if (i32.eqz (call $inside (local.get $p) (i64.const 1))) (then (return (i32.const 0))))
    (if (i32.and (i32.wrap_i64 (local.get $p)) (i32.const 15)) (then (return (i32.const 0))))
    (i32.eq
      (i32.load (i32.sub (i32.wrap_i64 (local.get $p)) (i32.const 8)))
      (i32.xor (i32.wrap_i64 (local.get $p)) (i32.const 0x5452_5550))))

  ;; Where the list of free blocks of this capacity begins.
  (func $list (param $capacity i32) (result i32)
    (i32.add
      (i32.const 16)
      (i32.shl (i32.sub (i32.const 31) (i32.clz (local.get $capacity))) (i32.const 2))))

  ;; Powers of two up to 64 KiB, then whole pages.
  (func $capacity (param $n i32) (result i32)
    (if (i32.le_u (local.get $n) (i32.const 16)) (then (return (i32.const 16))))
    (if (i32.le_u (local.get $n) (i32.const 65536))
      (then
        (return
          (i32.shl
            (i32.const 1)
            (i32.sub (i32.const 32) (i32.clz (i32.sub (local.get $n) (i32.const 1))))))))
    (i32.and (i32.add (local.get $n) (i32.const 65535)) (i32.const 0xffff0000)))

  ;; 0 for no bytes, and where there is no room.
  (func (export "alloc") (param $n i64) (result i64)
    (local $capacity i32) (local $list i32) (local $p i32) (local $end i64)
    (if (i64.eqz (local.get $n)) (then (return (i64.const 0))))
    (if (i64.gt_u (local.get $n) (i64.const 0xfff0_0000))
      (then (global.set $refused (local.get $n)) (return (i64.const 0))))
    (local.set $capacity (call $capacity (i32.wrap_i64 (local.get $n))))
    (local.set $list (call $list (local.get $capacity)))
    (local.set $p (i32.load (local.get $list)))
    (if
      (if (result i32) (local.get $p)
        (then
          (i32.ge_u
            (i32.load (i32.sub (local.get $p) (i32.const 16)))
            (local.get $capacity)))
        (else (i32.const 0)))
      (then
        (i32.store (local.get $list) (i32.load (i32.sub (local.get $p) (i32.const 4)))))
      (else
        (local.set $p (i32.add (global.get $top) (i32.const 16)))
        (local.set $end
          (i64.add (i64.extend_i32_u (local.get $p)) (i64.extend_i32_u (local.get $capacity))))
        (if
          (i64.gt_u (local.get $end) (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
          (then
            (if
              (i32.eq
                (memory.grow
                  (i32.sub
                    (i32.wrap_i64
                      (i64.shr_u (i64.add (local.get $end) (i64.const 65535)) (i64.const 16)))
                    (memory.size)))
                (i32.const -1))
              (then (global.set $refused (local.get $n)) (return (i64.const 0))))))
        (i32.store (i32.sub (local.get $p) (i32.const 16)) (local.get $capacity))
        (global.set $top (i32.wrap_i64 (local.get $end)))))
    (i32.store (i32.sub (local.get $p) (i32.const 12)) (i32.wrap_i64 (local.get $n)))
    (i32.store
      (i32.sub (local.get $p) (i32.const 8))
      (i32.xor (local.get $p) (i32.const 0x5452_5550)))
    (i64.extend_i32_u (local.get $p)))

  ;; What is no block is left alone.
  (func (export "free") (param $at i64)
    (local $p i32) (local $list i32)
    (if (i32.eqz (call $alive (local.get $at))) (then (return)))
    (local.set $p (i32.wrap_i64 (local.get $at)))
    (i32.store (i32.sub (local.get $p) (i32.const 8)) (i32.const 0))
    (local.set $list (call $list (i32.load (i32.sub (local.get $p) (i32.const 16)))))
    (i32.store (i32.sub (local.get $p) (i32.const 4)) (i32.load (local.get $list)))
    (i32.store (local.get $list) (local.get $p)))

  ;; 0 for what is no block.
  (func (export "length") (param $p i64) (result i64)
    (if (i32.eqz (call $alive (local.get $p))) (then (return (i64.const 0))))
    (i64.extend_i32_u (i32.load (i32.sub (i32.wrap_i64 (local.get $p)) (i32.const 12)))))

  (func (export "load_u8") (param $p i64) (result i32)
    (if (i32.eqz (call $inside (local.get $p) (i64.const 1)))
      (then (call $refuse (i32.const 0) (local.get $p))))
    (i32.load8_u (i32.wrap_i64 (local.get $p))))

  (func (export "load_u64") (param $p i64) (result i64)
    (if (i32.eqz (call $inside (local.get $p) (i64.const 8)))
      (then (call $refuse (i32.const 0) (local.get $p))))
    (i64.load align=1 (i32.wrap_i64 (local.get $p))))

  (func (export "store_u8") (param $p i64) (param $value i32)
    (if (i32.eqz (call $inside (local.get $p) (i64.const 1)))
      (then (call $refuse (i32.const 1) (local.get $p))))
    (i32.store8 (i32.wrap_i64 (local.get $p)) (local.get $value)))

  (func (export "store_u64") (param $p i64) (param $value i64)
    (if (i32.eqz (call $inside (local.get $p) (i64.const 8)))
      (then (call $refuse (i32.const 1) (local.get $p))))
    (i64.store align=1 (i32.wrap_i64 (local.get $p)) (local.get $value)))

  (func (export "input_offset") (result i64) (i64.extend_i32_u (global.get $input)))
  (func (export "input_length") (result i64) (i64.extend_i32_u (global.get $input_bytes)))

  (func (export "input_load_u8") (param $at i64) (result i32)
    (if (i64.ge_u (local.get $at) (i64.extend_i32_u (global.get $input_bytes)))
      (then (call $refuse (i32.const 2) (local.get $at))))
    (i32.load8_u (i32.add (global.get $input) (i32.wrap_i64 (local.get $at)))))

  (func (export "input_load_u64") (param $at i64) (result i64)
    (if
      (i32.or
        (i64.ge_u (local.get $at) (i64.extend_i32_u (global.get $input_bytes)))
        (i64.gt_u
          (i64.add (local.get $at) (i64.const 8))
          (i64.extend_i32_u (global.get $input_bytes))))
      (then (call $refuse (i32.const 2) (local.get $at))))
    (i64.load align=1 (i32.add (global.get $input) (i32.wrap_i64 (local.get $at)))))

  (func (export "output_set") (param $p i64) (param $n i64)
    (if (i64.ne (local.get $n) (i64.const 0))
      (then
        (if (i32.eqz (call $inside (local.get $p) (local.get $n)))
          (then (call $refuse (i32.const 3) (local.get $p))))))
    (global.set $output (i32.wrap_i64 (local.get $p)))
    (global.set $output_bytes (i32.wrap_i64 (local.get $n))))

  (func (export "error_set") (param $p i64)
    (if (i64.ne (local.get $p) (i64.const 0))
      (then
        (if (i32.eqz (call $alive (local.get $p)))
          (then (call $refuse (i32.const 4) (local.get $p))))))
    (global.set $error (i32.wrap_i64 (local.get $p)))))
