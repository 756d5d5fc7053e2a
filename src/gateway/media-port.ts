// The gateway's face towards the HTTP side for pictures and clips. Implemented by media.ts.
import type { GenerationStream } from "../core/events.ts";
import type { PictureRequest } from "../core/media-request.ts";
import type { CallContext } from "./port.ts";

export interface MediaGateway {
  /**
   * Resolves once a picture has come, or (only for `request.stream`) the grace time is over; an earlier failure rejects.
   * Pictures come with a `link`, and with their bytes as `base64` when the request is `inline` or it is a preview.
   */
  pictures(request: PictureRequest, context: CallContext): Promise<GenerationStream>;
}
