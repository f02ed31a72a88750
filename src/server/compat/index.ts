export { adapt, type DocumentName, streamContentType } from './answers.ts';
export { adaptCreate, adaptVolumePrune } from './requests.ts';
