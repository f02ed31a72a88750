/** `filters` of a request, decoded: each key with its accepted values. Both of the wire's forms (`{"k":["v"]}`, `{"k":{"v":true}}`) give this. */
export type Filters = ReadonlyMap<string, readonly string[]>;
