import { enableCompileCache } from 'node:module';

// Before the rest is loaded, so that its stripped and compiled form is kept between starts.
enableCompileCache();
const { runDaemon } = await import('./run.ts');
await runDaemon(process.argv.slice(2), process.env);
