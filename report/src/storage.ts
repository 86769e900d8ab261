// What outlives a reload. Browsers may refuse storage to a file; then nothing is kept.

type Kind = "local" | "session";

function storage(kind: Kind): Storage {
  return kind === "local" ? localStorage : sessionStorage;
}

export function remember(kind: Kind, key: string, value: string): void {
  try {
    storage(kind).setItem(key, value);
  } catch {
    // Refused or full.
  }
}

export function recall(kind: Kind, key: string): string | null {
  try {
    return storage(kind).getItem(key);
  } catch {
    return null;
  }
}
