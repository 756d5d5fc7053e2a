// Turns a document's body into the JSON text that every driver keeps, and refuses what JSON cannot carry.
import type { DocumentName } from "./port.ts";

export function encodeBody(document: DocumentName & { body: unknown }): string {
  const text = JSON.stringify(document.body);
  if (typeof text === "string") return text;
  throw new TypeError(`the body of ${document.collection}/${document.id} is not JSON`);
}
