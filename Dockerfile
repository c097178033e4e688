# The window's server as a container. `npm run pack` first; the base has no default, so that its digest is always given:
#   docker build --build-arg BASE=node:24-bookworm-slim@sha256:… -t touchstone .
#   docker run --read-only --tmpfs /tmp -v "$PWD/out:/work/out" --network host touchstone
# The server answers on this machine's loopback alone, so that the container shares its network.
ARG BASE
FROM ${BASE}
COPY release/touchstone-*.tgz /tmp/touchstone.tgz
RUN npm install --global --ignore-scripts /tmp/touchstone.tgz \
 && rm -rf /tmp/touchstone.tgz /root/.npm \
 && touchstone check-install
USER node
WORKDIR /work
VOLUME /work/out
ENV XDG_CACHE_HOME=/tmp
EXPOSE 8127
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "-e", "fetch('http://127.0.0.1:8127/').then((answer) => process.exit(answer.status < 500 ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["touchstone"]
CMD ["serve", "--out-dir", "/work/out"]
