/**
 * Node's HTTP module without its ES facade: an `import` reads every export once, and with them the lazy ones that load
 * a whole second HTTP client (15 ms and several megabytes) that is not used here.
 */
export function nodeHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http');
}
