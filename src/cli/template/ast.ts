/** Where a node stands and how its source reads, for error texts. */
export interface Place {
  line: number;
  column: number;
  source: string;
}

/** An operand of a command. */
export type Operand = Place &
  (
    | { type: 'dot' }
    | { type: 'nil' }
    | { type: 'bool'; value: boolean }
    | { type: 'number'; value: number | bigint }
    | { type: 'string'; value: string }
    | { type: 'field'; names: string[] }
    | { type: 'variable'; name: string; names: string[] }
    | { type: 'function'; name: string }
    | { type: 'pipeline'; pipeline: Pipeline; names: string[] }
  );

/** A command: a function, method or field with its arguments. */
export interface Command extends Place {
  operands: Operand[];
}

/** Commands joined by `|`, whose value may be kept in variables. */
export interface Pipeline extends Place {
  variables: string[];
  declares: boolean;
  commands: Command[];
}

/** A piece of a template. */
export type Node =
  | { type: 'text'; text: string }
  | { type: 'action'; pipeline: Pipeline }
  | { type: 'if' | 'with' | 'range'; pipeline: Pipeline; body: Node[]; otherwise: Node[] }
  | { type: 'template'; name: string; pipeline: Pipeline | undefined; place: Place }
  | { type: 'break' }
  | { type: 'continue' };

/** A parsed template and the named ones it defines. */
export interface Template {
  body: Node[];
  defined: Map<string, Node[]>;
}
