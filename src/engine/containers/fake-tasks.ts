export { FakeExec, FakeStdio, FakeTask, FakeTasks, sampleCgroupStats } from '../../runtime/suite.ts';
