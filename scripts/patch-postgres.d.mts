/** Patches node_modules/postgres in place, unless already patched. Throws if the package has another version. */
export function patchPostgres(): void;
