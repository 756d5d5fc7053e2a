// One turn of a conversation over the official API as a stream of events. Owns the second try without sealed reasoning.
// Never throws once started: whatever goes wrong is the last event.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationStream } from "../../core/events.ts";
import type { XaiModel } from "../../core/models.ts";
import type { GenerationRequest } from "../../core/request.ts";
import { createObjectSplitter } from "../../lib/ndjson.ts";
import { pullStream } from "../../lib/pull.ts";
import type { ChatCall } from "../port.ts";
import type { UpstreamResponse } from "../upstream-port.ts";
import { readError } from "../read-error.ts";
import type { XaiClient } from "./client.ts";
import { matchFiles } from "./content.ts";
import { refusesSealed } from "./failures.ts";
import { inputItems } from "./input.ts";
import { createResponseReader } from "./response-stream.ts";
import { responsesBody, withoutSealed, type XaiBody } from "./responses-request.ts";
import { sealReasoning } from "./sealed.ts";
import { createUpload } from "./uploads.ts";

/** An answer being read: batches until null. */
interface Reading {
  pull(): Promise<EventBatch | null>;
  close(): void;
}

export const createGenerate = ({ client, config }: { client: XaiClient; config: () => Config }) => {
  const bodyOf = async (request: GenerationRequest, call: ChatCall<XaiModel>): Promise<XaiBody> => {
    const input = await inputItems(request, {
      credential: call.credential,
      instruction: config().app.custom_instruction.trim(),
      files: matchFiles(request, call.files),
      upload: createUpload(client, call),
    });
    return responsesBody(request, { model: call.model, input });
  };

  /** Sealed reasoning that the upstream no longer reads is left out, and the question asked once more. */
  const open = async (request: GenerationRequest, call: ChatCall<XaiModel>): Promise<UpstreamResponse> => {
    const body = await bodyOf(request, call);
    const conversation = body.prompt_cache_key;
    try {
      return await client.stream(call, { path: "/responses", body, conversation });
    } catch (thrown) {
      const bare = thrown instanceof GatewayError && refusesSealed(thrown) ? withoutSealed(body) : null;
      if (!bare) throw thrown;
      call.log.info("the upstream no longer reads its own sealed reasoning; asking without it", {
        account: call.credential.accountId,
      });
      return client.stream(call, { path: "/responses", body: bare, conversation });
    }
  };

  const read = (response: UpstreamResponse, request: GenerationRequest, call: ChatCall<XaiModel>): Reading => {
    const format = request.responseFormat?.type ?? "text";
    const reader = createResponseReader({
      id: call.id,
      model: request.model,
      created: call.created,
      lastOnly: format !== "text",
      seal: (item) => sealReasoning(item, call.credential),
    });
    const splitter = createObjectSplitter();
    const pull = async (): Promise<EventBatch | null> => {
      while (!reader.over) {
        try {
          const chunk = await response.body.read();
          for (const event of chunk ? splitter.push(chunk) : splitter.end().objects) reader.accept(event);
          if (!chunk) reader.end();
        } catch (thrown) {
          reader.fail(readError(thrown, call.signal));
        }
        const events = reader.take();
        if (events.length > 0) return events;
      }
      return null;
    };
    return { pull, close: () => response.body.cancel() };
  };

  return (request: GenerationRequest, call: ChatCall<XaiModel>): GenerationStream => {
    let reading: Reading | null = null;
    let failed = false;
    let closed = false;
    const begin = async (): Promise<EventBatch | null> => {
      if (failed) return null;
      try {
        reading = read(await open(request, call), request, call);
        // The reader may have left while the answer was being opened.
        if (closed || call.signal.aborted) reading.close();
        return await reading.pull();
      } catch (thrown) {
        failed = true;
        return [{ type: "failure", error: readError(thrown, call.signal) }];
      }
    };
    // An open answer tells its failures itself: no promise more for each batch.
    const pull = () => (reading ? reading.pull() : begin());
    return pullStream(pull, () => {
      closed = true;
      reading?.close();
    });
  };
};
