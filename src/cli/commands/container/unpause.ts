import type { CommandSpec } from '../../command.ts';
import { pausing } from './pause.ts';

export const command: CommandSpec = pausing('unpause', 'Unpause all processes within one or more containers');
