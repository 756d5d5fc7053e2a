// The form that carries a file to the site, written as a browser writes it and into one piece of memory: the client needs its
// whole body at once, and a form object would hold the file several times. Knows no address.
import type { UploadFile } from "../../core/request.ts";
import { readablePassword } from "../../lib/ids.ts";

export interface UploadForm {
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Sixteen letters and digits behind Chromium's words. */
const chooseBoundary = (): string => `----WebKitFormBoundary${readablePassword(16)}`;

/** What would end the quoted name, as browsers write it. */
const quoted = (text: string): string =>
  `"${text.replaceAll("\n", "%0A").replaceAll("\r", "%0D").replaceAll('"', "%22")}"`;

export const uploadForm = async (
  { name, mime, content }: UploadFile,
  fields: Readonly<Record<string, string>>,
): Promise<UploadForm> => {
  const boundary = chooseBoundary();
  const part = (disposition: string) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;
  const encoder = new TextEncoder();
  const head = encoder.encode(`${part(`name="file"; filename=${quoted(name)}`)}Content-Type: ${mime}\r\n\r\n`);
  const rest = Object.entries(fields).map(([field, value]) => `${part(`name=${quoted(field)}`)}\r\n${value}\r\n`);
  const tail = encoder.encode(`\r\n${rest.join("")}--${boundary}--\r\n`);
  const body = new Uint8Array(head.byteLength + content.size + tail.byteLength);
  body.set(head);
  let at = head.byteLength;
  for await (const chunk of content.stream()) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  body.set(tail, at);
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
};
