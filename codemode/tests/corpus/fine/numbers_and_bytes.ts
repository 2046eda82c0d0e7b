//? value [0.3,"0.30","3.00e-1",false]
[Math.round((0.1 + 0.2) * 10) / 10, (0.1 + 0.2).toFixed(2), (0.3).toExponential(2), 0.1 + 0.2 === 0.3]

//? value ["ff","11111111","zz",255,-8]
[(255).toString(16), (255).toString(2), (1295).toString(36), parseInt('ff', 16), ~7]

//? value [null,null,null,0]
[NaN, Infinity, -Infinity, -0]

//? value [9007199254740991,true,false]
[Number.MAX_SAFE_INTEGER, Number.isInteger(5.0), Number.isSafeInteger(2 ** 53)]

//? value [255,10,8,1000000]
[0xff, 0b1010, 0o10, 1_000_000]

//? value [2147483648,-2147483648,4294967295]
[2 ** 31, (2 ** 31) | 0, -1 >>> 0]

//? value [3,-3,-4,3,1]
[Math.trunc(3.7), Math.trunc(-3.7), Math.floor(-3.2), Math.hypot(3, 0), Math.sign(9)]

//? value [1e+21,1e-7,123456789012345680000]
[1e21, 1e-7, 123456789012345680000]

//? value ["1000000000000000000000","-5","1267650600228229401496703205376"]
[10n ** 21n, -5n, 1n << 100n]

//? value ["2432902008176640000",true,"bigint"]
const factorial = (n: bigint): bigint => (n < 2n ? 1n : n * factorial(n - 1n)); [factorial(20n), 10n > 9, typeof 1n]

//? value ["255","-1","18446744073709551615"]
[BigInt('0xff'), BigInt.asIntN(8, 255n), BigInt.asUintN(64, -1n)]

//? value "TypeError"
try { (1n as any) + 1; } catch (error) { return (error as Error).name; }

//? value [1,2,3,255]
const bytes = new Uint8Array(4); bytes.set([1, 2, 3]); bytes[3] = -1; [...bytes]

//? value [1,256]
const view = new DataView(new ArrayBuffer(4)); view.setUint16(0, 1); view.setUint16(2, 1, true); [view.getUint16(0), view.getUint16(2)]

//? value ["0100","00000001"]
const hex = (b: ArrayBuffer) => [...new Uint8Array(b)].map((n) => n.toString(16).padStart(2, '0')).join('');
const little = new ArrayBuffer(2); new DataView(little).setUint16(0, 1, true); const big = new ArrayBuffer(4); new DataView(big).setUint32(0, 1);
[hex(little), hex(big)]

//? value [255,0]
[...new Uint8ClampedArray([300, -5])]

//? value [1.5,0.10000000149011612]
[...new Float32Array([1.5, 0.1])]

//? value ["1","-1"]
[...new BigInt64Array([1n, -1n])]

//? value {"0":1,"1":2}
new Uint8Array([1, 2])

//? value [[1,2],[3,4],8]
const b = new ArrayBuffer(8); new Uint8Array(b).set([1, 2, 3, 4]); [[...new Uint8Array(b, 0, 2)], [...new Uint8Array(b.slice(2, 4))], b.byteLength]

//? value [16,4]
const growing = new ArrayBuffer(4, { maxByteLength: 16 }); const before = growing.byteLength; growing.resize(16); [growing.byteLength, before]

//? value "undefined,undefined,undefined,undefined"
// Not in this engine.
[typeof Atomics, typeof Intl, typeof WebAssembly, typeof structuredClone].join()

//? value {"mean":2.5,"max":4}
const xs = [1, 2, 3, 4]; ({ mean: xs.reduce((a, b) => a + b) / xs.length, max: Math.max(...xs) })

//? value [1,2,10]
[10, 1, 2].sort((a, b) => a - b)

//? value [1,10,2]
[10, 1, 2].sort()

//? value "1.234.567"
(1234567).toString().replace(/\B(?=(\d{3})+$)/g, '.')

//? value [0,1,4]
Uint8Array.from({ length: 3 }, (_, i) => i * i).toReversed().toSorted().values().toArray()

//? value [12,"12.50",12.5]
[parseInt('12.5px'), parseFloat('12.5').toFixed(2), Number('12.5')]

//? value [0,null,1,0]
[Number(''), Number('x'), Number(true), Number(null)]

//? value 5
[5, 1, 4].reduce((a, b) => Math.max(a, b))
