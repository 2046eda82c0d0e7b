//? value "2026-01-01T00:00:00.000Z"
new Date().toISOString()

//? value ["2026-01-31","2026-03-03"]
const day = (d: Date) => d.toISOString().slice(0, 10); const d = new Date(Date.UTC(2026, 0, 31)); const next = new Date(d); next.setUTCMonth(1); [day(d), day(next)]

//? value [2024,1,29,4]
const leap = new Date('2024-02-29T12:00:00Z'); [leap.getFullYear(), leap.getMonth(), leap.getDate(), leap.getDay()]

//? value 30
Math.round((Date.parse('2026-05-01') - Date.parse('2026-04-01')) / 86_400_000)

//? value [null,"Invalid Date",true]
const invalid = new Date('nonsense'); [invalid, String(invalid), Number.isNaN(invalid.getTime())]

//? value "2026-01-01T05:30:00.000Z"
new Date('2026-01-01T07:30:00+02:00')

//? value [0,"Thu, 01 Jan 1970 00:00:00 GMT"]
[new Date(0).getTimezoneOffset(), new Date(0).toUTCString()]

//? value ["2025-12-25","2026-01-08"]
const now = Date.now(); [-7, 7].map((days) => new Date(now + days * 864e5).toISOString().slice(0, 10))

//? value 2000
const start = performance.now(); await sleep(1); await sleep(1); performance.now() - start

//? value true
const a = Date.now(); for (let i = 0; i < 1e4; i++); Date.now() === a

//? value ["string","undefined"]
// No Intl: what has a locale falls back to one form.
[typeof new Date(0).toLocaleDateString('de-DE'), typeof Intl]

//? value ["string","string"]
[typeof (1234.5).toLocaleString('en-US'), typeof 'a'.toLocaleUpperCase('tr')]
