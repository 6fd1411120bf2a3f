/** Patches node_modules/postgres in place; does nothing where that is done. Throws when the package has another version. */
export function patchPostgres(): void;
