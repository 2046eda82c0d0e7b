//? value ["outer","inner",true]
try { try { throw new Error('inner'); } catch (cause) { throw new Error('outer', { cause }); } } catch (error: any) { return [error.message, error.cause.message, error.cause instanceof Error]; }

//? value ["NotFound","no 7",7,true,true]
class NotFound extends Error { override name = 'NotFound'; constructor(readonly id: number) { super(`no ${id}`); } }
try { throw new NotFound(7); } catch (error: any) { return [error.name, error.message, error.id, error instanceof NotFound, error instanceof Error]; }

//? value ["AggregateError","several",2]
const error = new AggregateError([new Error('a'), 'b'], 'several'); [error.name, error.message, error.errors.length]

//? value ["finally","after"]
const log: string[] = []; try { try { throw 1; } finally { log.push('finally'); } } catch { log.push('after'); } log

//? value "from finally"
(() => { try { return 'from try'; } finally { return 'from finally'; } })()

//? value ["TypeError","RangeError","SyntaxError","URIError","ReferenceError"]
[() => (null as any).x, () => 'x'.repeat(-1), () => new RegExp('('), () => decodeURIComponent('%'), () => missing].map((f) => { try { f(); } catch (error) { return (error as Error).name; } });
declare const missing: any;

//? value ["HostError","host.fail","no access"]
try { await host.fail('no access'); } catch (error: any) { return [error.name, error.call, error.message]; }

//? value "rethrown HostError: x"
try { await host.fail('x').catch((error: unknown) => { throw error; }); } catch (error) { return `rethrown ${error}`; }

//? value true
try { await host.fail('x'); } catch (error: any) { return typeof error.stack === 'string'; }

//? value ["ok 1","failed: no"]
const results = await Promise.all([host.echo(1), host.fail('no')].map((p) => p.then((v) => `ok ${v}`, (e) => `failed: ${e.message}`))); results

//? value "AssertionError"
function assert(ok: unknown, message = 'no'): asserts ok { if (!ok) throw Object.assign(new Error(message), { name: 'AssertionError' }); }
try { assert(0); } catch (error) { return (error as Error).name; }

//? value ["caught in async",1]
const f = async () => { throw 'caught in async'; }; try { await f(); } catch (error) { return [error, 1]; }

//? value "no catch binding"
try { JSON.parse('{'); } catch { return 'no catch binding'; }

//? value [{"name":"Error","message":"a"},"b"]
[new Error('a'), 'b']

//? value "deep: recovered"
const deep = (): number => deep() + 1; let how = ''; try { deep(); } catch (error) { how = 'deep'; } `${how}: recovered`
