/** A package as package-lock.json has it. */
interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  /** Only development needs it. */
  readonly dev?: boolean;
}

type Root = LockedPackage & { readonly devDependencies?: object | undefined };

export interface Lock {
  readonly packages: Readonly<Record<string, Root>>;
}

/** A package that is installed with the bridge. */
export interface RuntimePackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; empty where the package says none. */
  readonly licence: string;
}

/** The lock file without what only development needs. */
export function withoutDevelopment(lock: Lock): Lock {
  const kept = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true);
  // JSON leaves out what is undefined.
  const packages = Object.fromEntries(
    kept.map(([path, each]): [string, Root] => [path, { ...each, devDependencies: undefined }]),
  );
  return { ...lock, packages };
}

/** In the order of their names; two versions of a package are two, however often each is installed. */
export function runtimePackages(lock: Lock): RuntimePackage[] {
  const found = new Map<string, RuntimePackage>();
  for (const [path, { license = '', version = '' }] of Object.entries(withoutDevelopment(lock).packages)) {
    if (path === '') continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    found.set(nameOf({ name, version }), { name, version, licence: license });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

export function nameOf({ name, version }: Pick<RuntimePackage, 'name' | 'version'>): string {
  return `${name}@${version}`;
}
