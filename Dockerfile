# One image for amd64 and arm64, with nothing inside but the executable and what it needs to start.
# Both builds run on the builder's own processor: the executable is cross-compiled, Alpine's libraries are only unpacked.
#   docker build -t grok2api .

FROM --platform=$BUILDPLATFORM node:22-alpine3.22 AS build
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
COPY scripts/setup.sh scripts/setup.sh
RUN sh scripts/setup.sh
COPY . .
ARG TARGETARCH
# The context has no .git; a build that knows its commit says it here.
ARG COMMIT=""
RUN case "$TARGETARCH" in amd64) arch=x64 ;; arm64) arch=arm64 ;; *) echo "no image for $TARGETARCH"; exit 1 ;; esac \
 && npm run build:all -- --only "linux-$arch-musl" --commit "$COMMIT" --out /release \
 && mv /release/grok2api-*-musl /release/grok2api

FROM --platform=$BUILDPLATFORM alpine:3.22 AS root
ARG TARGETARCH
RUN case "$TARGETARCH" in amd64) arch=x86_64 ;; arm64) arch=aarch64 ;; *) exit 1 ;; esac \
 && mkdir -p /alpine/etc/apk/keys \
 && cp "/usr/share/apk/keys/$arch"/* /alpine/etc/apk/keys/ \
 && cp /etc/apk/repositories /alpine/etc/apk/repositories \
 && apk add --root /alpine --initdb --arch "$arch" --no-cache --no-scripts musl libgcc libstdc++ ca-certificates-bundle
COPY scripts/image-root.sh /image-root.sh
COPY LICENSE /LICENSE
COPY --from=build /release /release
RUN sh /image-root.sh --out /image --binary /release/grok2api --libraries /alpine \
      --certificates /alpine/etc/ssl/certs/ca-certificates.crt \
      --notices /release/THIRD_PARTY_NOTICES --licence /LICENSE

FROM scratch
COPY --from=root /image /
# Said again for builders that give copied folders to root: the data folder belongs to the image's own user.
COPY --from=root --chown=10001:10001 /image/app /app
USER 10001:10001
WORKDIR /app
# BUN_CONFIG_MAX_HTTP_REQUESTS: the runtime's own limit is 256 calls at a time, and further ones would wait unseen.
ENV DATA_DIR=/app/data \
    SERVER_HOST=0.0.0.0 \
    SERVER_PORT=8000 \
    TMPDIR=/tmp \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    BUN_CONFIG_MAX_HTTP_REQUESTS=20000
EXPOSE 8000
VOLUME ["/app/data"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/local/bin/grok2api", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/grok2api"]
CMD ["serve"]
