import type { CommandSpec } from '../../command.ts';
import { stopping } from './stop.ts';

export const command: CommandSpec = stopping('restart', 'Restart one or more containers');
