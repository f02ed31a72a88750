/** A setting of a registry: a flag of `wharf registry serve`, and a key of the daemon's option `registry`. */
export interface SettingSpec {
  readonly name: string;
  /** Switches take `true` and `false`, lists are separated by commas (as a flag: given several times). */
  readonly kind: 'text' | 'switch' | 'list';
  readonly help: string;
  readonly placeholder?: string;
  readonly shown?: string;
}

/** Where an open registry without users is safe: nobody from elsewhere reaches it. */
export const DEFAULT_LISTEN = '127.0.0.1:5000';

/** Every setting, in the order of the alphabet. */
export const SETTINGS: readonly SettingSpec[] = [
  {
    name: 'access',
    kind: 'text',
    placeholder: 'file',
    help: 'File of rights (JSON): which repositories are public, who pulls, pushes and deletes',
  },
  {
    name: 'allow-anonymous-push',
    kind: 'switch',
    help: 'Without users, serve addresses beyond this machine: whoever reaches them reads, writes and deletes',
  },
  {
    name: 'audit-log',
    kind: 'text',
    placeholder: 'file',
    help: 'File for a line per request; "-" for standard error, "off" for none (default ROOT/audit.log)',
  },
  {
    name: 'external-url',
    kind: 'text',
    placeholder: 'url',
    help: 'Where clients reach the registry, when a proxy stands before it',
  },
  {
    name: 'htpasswd',
    kind: 'text',
    placeholder: 'file',
    help: 'File of users with bcrypt passwords (see "wharf registry user"); without it nobody has to log in',
  },
  {
    name: 'insecure-no-tls',
    kind: 'switch',
    help: 'Serve addresses beyond this machine without TLS: passwords and images can be read and changed on their way',
  },
  {
    name: 'listen',
    kind: 'list',
    placeholder: 'address',
    help: 'Addresses to listen on, with ports',
    shown: DEFAULT_LISTEN,
  },
  {
    name: 'tlscert',
    kind: 'text',
    placeholder: 'file',
    help: 'Certificate (PEM, with its chain); read again at SIGHUP',
  },
  { name: 'tlskey', kind: 'text', placeholder: 'file', help: 'Private key of the certificate (PEM)' },
];
