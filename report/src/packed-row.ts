// Rows of weights as the page has them: signed bytes, of which 127 stands for the largest
// (crates/imlp-lab/src/packed_row.rs).

export interface PackedRow {
  largest: number;
  /** Two hexadecimal digits for each weight. */
  bytes: string;
}

export function isPackedRow(value: unknown): value is PackedRow {
  const row = value as PackedRow | null;
  return typeof row === "object" && row !== null && typeof row.largest === "number" && typeof row.bytes === "string";
}

export function weights({ largest, bytes }: PackedRow): number[] {
  return Array.from({ length: bytes.length / 2 }, (_, i) => {
    const byte = Number.parseInt(bytes.slice(2 * i, 2 * i + 2), 16);
    return ((byte > 127 ? byte - 256 : byte) / 127) * largest;
  });
}
