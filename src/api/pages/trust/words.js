/** What is in force, in plain words: `good` is what it protects against, `bad` what it does not. */

const sealing = {
  'local-file': {
    name: 'A file in the enclave’s own folder',
    good: ['Whoever reads or copies the database: every key in it is sealed'],
    bad: ['Whoever is root on this machine, or copies the enclave’s folder: they can open every key'],
  },
  'quorum-shares': {
    name: 'Shares, which people send at each start',
    good: ['Whoever copies all disks of this machine: the key that opens the others lies on none of them'],
    bad: ['As many holders of shares as are needed, if they act together'],
  },
  tpm2: {
    name: 'The TPM of this machine',
    good: ['Whoever copies all disks of this machine: only its TPM opens the keys, and only for this code'],
    bad: ['Whoever can start this code on this machine and change what it does while it runs'],
  },
  dstack: {
    name: 'dstack, for this application in a confidential virtual machine',
    good: ['The operator of the machine: its memory is encrypted, and its key is for this application alone'],
    bad: ['Whoever may change which versions of the application dstack lets have its key'],
  },
  'nitro-kms': {
    name: 'AWS KMS, for this image in a Nitro enclave',
    good: ['The operator of the machine: KMS opens the keys to the measured image alone'],
    bad: ['Whoever may change the policy of the key in KMS'],
  },
};

const anchors = {
  file: {
    name: 'a file in the enclave’s own folder',
    good: ['A database that is set back to an earlier state, in part or as a whole: the enclave refuses it'],
    bad: [
      'Whoever is root sets back database and enclave’s folder together; clients that keep their last receipt notice',
    ],
  },
  tpm2: {
    name: 'a counter in the TPM',
    good: ['All disks of this machine set back to an earlier state: the TPM has counted on'],
    bad: ['A TPM whose own state can be set back, as that of a program can'],
  },
  witness: {
    name: 'witnesses elsewhere',
    good: ['The whole machine set back to an earlier state: witnesses elsewhere signed what came after'],
    bad: ['So many witnesses that act together with the operator that they are the majority'],
  },
};

/** Of a name that this page does not know nothing is promised. */
const unknown = (name) => ({ name, good: [], bad: [`What “${name}” leaves open: this page does not know it`] });
const known = (table, name) => (Object.hasOwn(table, name) ? table[name] : unknown(name));

function isolationWords(isolation) {
  if (isolation === 'none') {
    return { good: [], bad: ['A broken-in api or database: they run as the same user, and read the enclave’s folder'] };
  }
  const hasNetwork = isolation.includes('no namespaces');
  return {
    good: ['A broken-in api or database: they cannot read the enclave’s memory or folder'],
    bad: hasNetwork ? ['Code in the enclave that would send keys away: it is not cut off from the network'] : [],
  };
}

function platformWords(proven) {
  if (!proven) {
    return {
      good: [],
      bad: ['An operator who runs other code and says that it is this: no hardware vouches for what runs here'],
    };
  }
  if (proven.platform === 'tpm2') {
    return {
      good: [],
      bad: [
        'An operator who runs other code and says that it is this: whose TPM signed here you must know from elsewhere',
      ],
    };
  }
  return {
    good: ['Other code in its place: the platform measured what runs, for you to compare'],
    bad: ['Flaws in the platform itself, and in the code that was measured'],
  };
}

const always = {
  good: ['A forged, altered or repeated request: each is stamped by its user over the exact bytes'],
  bad: ['Whoever holds your passkey or API key'],
};

const platforms = {
  none: 'None: a process on the operator’s machine',
  nitro: 'AWS Nitro Enclaves',
  'sev-snp': 'AMD SEV-SNP',
  dstack: 'Intel TDX, with dstack',
  tpm2: 'TPM 2.0',
};

/** Of a boot statement and what was proven of it. */
export function describeTrust(statement, platform, proven) {
  const named = known(sealing, statement.sealing);
  const isUnproven = !proven && (statement.sealing === 'dstack' || statement.sealing === 'nitro-kms');
  // What a platform does to its operator is no more than the operator's word where that platform does not vouch.
  const seal = isUnproven ? { ...named, good: [] } : named;
  const anchor = statement.anchor.split('+').map((name) => known(anchors, name));
  const parts = [always, platformWords(proven), seal, ...anchor, isolationWords(statement.isolation)];
  // Whatever stands outside the machine makes up for what the file alone leaves open.
  const isMore = anchor.length > 1;
  return {
    platform: Object.hasOwn(platforms, platform) ? platforms[platform] : platform,
    sealing: seal.name,
    anchors: anchor.map(({ name }) => name).join(', and '),
    good: parts.flatMap(({ good }) => good),
    bad: parts.flatMap((part) => (isMore && part === anchors.file ? [] : part.bad)),
  };
}
