import { WharfError } from '../base/index.ts';
import { nftJson, runNft } from '../sys/index.ts';
import type { NftObject, RuleKernel } from './kernel.ts';

/** The packet filter of the network namespace where the daemon runs. */
export const hostRules: RuleKernel = {
  nft: runNft,

  nftObjects(command) {
    try {
      const answer = nftJson(command);
      return typeof answer === 'object' && answer !== null && 'nftables' in answer
        ? (answer.nftables as NftObject[])
        : [];
    } catch (thrown) {
      if (thrown instanceof WharfError && /No such file or directory/.test(thrown.message)) return undefined;
      throw thrown;
    }
  },
};
