//? limit processor time
/^(a|a)*$/.test('a'.repeat(40) + 'b')

//? limit processor time
/^(a|aa)+$/.test('a'.repeat(60) + '!')

//? limit processor time
/(.*)*x/.test('y'.repeat(40))

//? limit processor time
/^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(60))

//? limit processor time
'a'.repeat(60).replace(/(a*)*b/, '')

//? limit processor time
('x'.repeat(60) + 'y').match(/(x+x+)+z/g)

//? limit processor time
('a,'.repeat(60)).split(/(([^,]*,?)*)*;/)

//? limit processor time
/^(\w+\s?)*$/u.test('word '.repeat(20) + '!')

//? limit processor time
/(?<=^(a+)+)c/.test('b' + 'a'.repeat(50) + 'c')

//? limit processor time
await host.echo(1); [...('a'.repeat(50) + '!').matchAll(/(?:a+)+$/g)]

//? limit processor time
const many = /\d+/g; const text = '1 '.repeat(1000); for (;;) text.replace(many, (d) => d + d);

//? limit processor time
const email = /^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$/;
email.test('a'.repeat(60))

//? limit too deeply
new RegExp('(?:'.repeat(5000) + 'a' + ')*'.repeat(5000)).test('a')

//? limit program
for (;;) new RegExp('x{0,' + Math.floor(Math.random() * 1000) + '}')
