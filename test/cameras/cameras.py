#!/usr/bin/python3
"""Simulated cameras on GStreamer's RTSP server. See README.md beside this file for mounts and commands."""
import argparse
import glob
import math
import os
import socket
import struct
import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

FPS = 25
STARTED = time.monotonic()


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="8554")
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--n", type=int, default=4)
    parser.add_argument("--digest", help="user:password")
    parser.add_argument("--seconds", type=int, default=600, help="ends by itself after this long")
    parser.add_argument("--src", required=True, help="folder that make-videos filled")
    parser.add_argument("--control", type=int, default=0, help="UDP port on 127.0.0.1 that takes commands")
    return parser.parse_args()


def units(folder):
    return [open(name, "rb").read() for name in sorted(glob.glob(f"{folder}/*"))]


def tone(rate):
    return b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * 440 * i / rate))) for i in range(rate // 50))


class Feed:
    """One connected pipeline: pushes pictures and sound in real time, from where the camera is by now."""

    def __init__(self, camera, media):
        element = media.get_element()
        self.camera, self.video, self.audio = camera, element.get_by_name("video"), element.get_by_name("audio")
        self.begun = None
        self.frames = self.blocks = 0
        self.live = True

    def tick(self):
        if not self.live:
            return False
        now = time.monotonic()
        if self.begun is None:
            self.begun = now
            # A client joins in the middle of a group of pictures, as at a real camera.
            self.offset = int((now - STARTED) * FPS)
        elapsed = now - self.begun
        while self.video and self.frames / FPS <= elapsed:
            self.push_frame(now)
        while self.audio and self.blocks / 50 <= elapsed:
            if now >= self.camera.muted_until:
                self.push(self.audio, self.camera.tone, self.blocks * Gst.SECOND // 50, Gst.SECOND // 50)
            self.blocks += 1
        return True

    def push_frame(self, now):
        pictures = self.camera.pictures
        index = self.offset + self.camera.phase + self.frames
        if now < self.camera.frozen_until:
            index = index % self.camera.group
        pts = 0 if self.camera.constant else self.frames * Gst.SECOND // FPS
        self.frames += 1
        if now >= self.camera.stalled_until:
            self.push(self.video, pictures[index % len(pictures)], pts, Gst.SECOND // FPS)

    @staticmethod
    def push(source, data, pts, duration):
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts = buffer.dts = pts
        buffer.duration = duration
        source.emit("push-buffer", buffer)


class Camera(GstRtspServer.RTSPMediaFactory):
    """One mount: what it shows and how it misbehaves."""

    def __init__(self, pictures, codec="264", audio=None, constant=False, group=50):
        super().__init__()
        self.pictures, self.constant, self.group = pictures, constant, group
        self.phase = 0
        self.stalled_until = self.frozen_until = self.muted_until = 0.0
        self.tone = tone(16000 if audio == "aac" else 8000) if audio else None
        self.feeds = []
        self.set_launch(self.launch(codec, audio))
        # Each viewer has a pipeline of its own, so that one that vanished does not hold the others up.
        self.set_shared(False)
        self.set_latency(0)
        self.connect("media-configure", self.configure)

    def launch(self, codec, audio):
        caps = f"video/x-h{codec},stream-format=byte-stream,alignment=au,framerate={FPS}/1"
        source = "is-live=true format=time block=false max-bytes=4000000"
        parts = []
        if self.pictures:
            parts.append(f'appsrc name=video {source} caps="{caps}" ! h{codec}parse ! rtph{codec}pay name=pay{len(parts)} pt=96 config-interval=-1')
        if audio:
            rate = 16000 if audio == "aac" else 8000
            encoder = "avenc_aac bitrate=32000 ! aacparse ! rtpmp4gpay" if audio == "aac" else "alawenc ! rtppcmapay"
            payload = 97 if audio == "aac" else 8
            parts.append(
                f"appsrc name=audio {source} caps=audio/x-raw,rate={rate},channels=1,format=S16LE,layout=interleaved"
                f" ! audioconvert ! {encoder} name=pay{len(parts)} pt={payload}"
            )
        return "( " + " ".join(parts) + " )"

    def configure(self, _factory, media):
        feed = Feed(self, media)
        self.feeds.append(feed)

        def gone(_media):
            feed.live = False
            if feed in self.feeds:
                self.feeds.remove(feed)

        media.connect("unprepared", gone)
        GLib.timeout_add(10, feed.tick)


class Site:
    """The server with all its cameras."""

    def __init__(self, args):
        self.args, self.cameras, self.source = args, {}, 0
        self.server = GstRtspServer.RTSPServer()
        self.server.set_address(args.bind)
        self.server.set_service(args.port)
        # Each camera answers for itself, however long another one takes to find its first picture.
        pool = self.server.get_thread_pool()
        pool.set_max_threads(64)
        self.role = self.protect()
        self.build()

    def protect(self):
        if not self.args.digest:
            return None
        user, password = self.args.digest.split(":", 1)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
        self.server.set_auth(auth)
        return "viewer"

    def build(self):
        main, sub = units(f"{self.args.src}/main"), units(f"{self.args.src}/sub")
        for i in range(1, self.args.n + 1):
            self.add(f"cam{i}", Camera(main))
            self.add(f"sub{i}", Camera(sub))
        self.add("h265", Camera(units(f"{self.args.src}/h265"), codec="265"))
        self.add("aac", Camera(main, audio="aac"))
        self.add("g711", Camera(main, audio="g711"))
        self.add("badts", Camera(main, constant=True))
        self.add("long", Camera(units(f"{self.args.src}/long"), group=250))
        self.add("novideo", Camera([], audio="g711"))
        udp = Camera(sub)
        udp.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
        self.add("udponly", udp)

    def add(self, name, camera):
        if self.role:
            made = Gst.Structure.new_from_string(f"{self.role},media.factory.access=(boolean)true,media.factory.construct=(boolean)true")
            camera.add_role_from_structure(made[0] if isinstance(made, tuple) else made)
        # Cameras do not know of each other: their key pictures fall at different moments of the two seconds between them.
        camera.phase = len(self.cameras) * 19
        self.cameras[name] = camera
        self.server.get_mount_points().add_factory("/" + name, camera)

    def listen(self):
        self.source = self.server.attach(None)
        return self.source != 0

    def reboot(self, seconds):
        GLib.source_remove(self.source)
        self.server.client_filter(lambda _server, client: (client.close(), GstRtspServer.RTSPFilterResult.REMOVE)[1])
        GLib.timeout_add(int(seconds * 1000), lambda: not self.listen())

    def obey(self, words):
        name, seconds = words[0], float(words[-1])
        if name == "reboot":
            self.reboot(seconds)
        elif name == "stall":
            self.cameras[words[1]].stalled_until = time.monotonic() + seconds
        elif name == "mute":
            self.cameras[words[1]].muted_until = time.monotonic() + seconds
        elif name == "freeze":
            self.cameras[words[1]].frozen_until = time.monotonic() + seconds
        else:
            return "unknown"
        return "ok"


def take_commands(site, port):
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    control.bind(("127.0.0.1", port))

    def receive(_fd, _condition):
        text, sender = control.recvfrom(200)
        try:
            answer = site.obey(text.decode().split())
        except (KeyError, ValueError, IndexError) as error:
            answer = f"wrong: {error}"
        control.sendto(answer.encode(), sender)
        return True

    GLib.io_add_watch(control.fileno(), GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN, receive)
    return control


def main():
    args = options()
    Gst.init(None)
    site = Site(args)
    if not site.listen():
        sys.exit(f"cannot listen on {args.bind}:{args.port}")
    kept = take_commands(site, args.control) if args.control else None
    GLib.timeout_add_seconds(2, lambda: (site.server.get_session_pool().cleanup(), True)[1])
    loop = GLib.MainLoop()
    GLib.timeout_add_seconds(args.seconds, loop.quit)
    print("ready", os.getpid(), " ".join(site.cameras), flush=True)
    loop.run()
    del kept


main()
