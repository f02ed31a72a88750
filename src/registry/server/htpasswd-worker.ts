import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';
import type { VerifyAnswer, VerifyJob } from './htpasswd-verifier.ts';

parentPort?.on('message', ({ id, password, hash }: VerifyJob) => {
  const answer: VerifyAnswer = { id, right: compareSync(password, hash) };
  parentPort?.postMessage(answer);
});
