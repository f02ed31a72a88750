/** A new 64-digit lower-case hexadecimal id, as containers, networks and execs have. Never all decimal digits in its short form. */
export function newId(): string {
  // Loaded here: the client makes no ids, and an import of its ES facade costs it 5 ms.
  const { randomBytes } = process.getBuiltinModule('node:crypto');
  for (;;) {
    const id = randomBytes(32).toString('hex');
    // A short id of digits alone would be taken for a number by tools; Docker avoids it too.
    if (!/^\d{12}/.test(id)) return id;
  }
}

/** The first twelve digits, as lists show it. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
