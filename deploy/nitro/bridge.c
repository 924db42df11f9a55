/*
 * Not tested on hardware. What Node cannot do inside a Nitro enclave: AF_VSOCK sockets, ioctl(2) on /dev/nsm, mount(2).
 * Static, without a library but libc: musl-gcc -static -O2 -o bridge bridge.c
 *
 *   bridge heartbeat                   tells nitro-cli that the enclave has started
 *   bridge mount PORT EXPORT FOLDER    mounts what the 9p server exports that the parent has at PORT
 *   bridge from-vsock PORT SOCKET      passes connections from the parent at PORT on to a Unix socket
 *   bridge to-vsock SOCKET PORT        passes connections at a Unix socket on to the parent's PORT
 *   bridge nsm SOCKET                  serves /dev/nsm: length (4 bytes, big endian) and CBOR, both ways
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
/* <linux/vm_sockets.h>, which musl does not have. */
struct sockaddr_vm {
  unsigned short family, reserved;
  unsigned int port, cid;
  unsigned char zero[4];
};

enum { parent_cid = 3, any_cid = -1, heartbeat_port = 9000, heartbeat = 0xB7 };
enum { largest_request = 0x1000, largest_response = 0x3000 };

struct nsm_message {
  struct iovec request, response;
};
#define NSM_IOCTL _IOWR(0x0A, 0, struct nsm_message)

static void fail(const char *what) {
  fprintf(stderr, "bridge: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int open_vsock(unsigned int port, int listening) {
  int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_vm at = {.family = AF_VSOCK, .port = port, .cid = listening ? any_cid : parent_cid};
  if (fd < 0) fail("vsock");
  if (listening) {
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 16) < 0) fail("listening at vsock");
  } else if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static int open_unix(const char *path, int listening) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  if (fd < 0 || strlen(path) >= sizeof at.sun_path) fail(path);
  strcpy(at.sun_path, path);
  if (listening) {
    umask(077);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 16) < 0) fail(path);
  } else if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static int write_all(int fd, const void *bytes, size_t size) {
  for (const char *at = bytes; size > 0;) {
    ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    at += n;
    size -= n;
  }
  return 0;
}

static int read_all(int fd, void *bytes, size_t size) {
  for (char *at = bytes; size > 0;) {
    ssize_t n = read(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return -1;
    at += n;
    size -= n;
  }
  return 0;
}

/* Copies both ways until either side ends. */
static void join(int a, int b) {
  static char bytes[65536];
  struct pollfd ends[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
  while (poll(ends, 2, -1) > 0 || errno == EINTR) {
    for (int i = 0; i < 2; i++) {
      if (!ends[i].revents) continue;
      ssize_t n = read(ends[i].fd, bytes, sizeof bytes);
      if (n <= 0 || write_all(ends[1 - i].fd, bytes, n) < 0) return;
    }
  }
}

static void serve_nsm(int client) {
  unsigned char head[4], request[largest_request], response[largest_response];
  int device = open("/dev/nsm", O_RDWR | O_CLOEXEC);
  if (device < 0) fail("/dev/nsm");
  while (read_all(client, head, 4) == 0) {
    uint32_t size = (uint32_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
    if (size > sizeof request || read_all(client, request, size) < 0) return;
    struct nsm_message message = {{request, size}, {response, sizeof response}};
    if (ioctl(device, NSM_IOCTL, &message) < 0) fail("nsm");
    size = message.response.iov_len;
    unsigned char length[4] = {size >> 24, size >> 16, size >> 8, size};
    if (write_all(client, length, 4) < 0 || write_all(client, response, size) < 0) return;
  }
}

/* A child for each connection. */
static void serve(int listener, void (*handle)(int client, void *with), void *with) {
  signal(SIGCHLD, SIG_IGN);
  for (;;) {
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) continue;
    if (fork() == 0) {
      handle(client, with);
      _exit(0);
    }
    close(client);
  }
}

static void to_unix(int client, void *path) {
  /* The enclave listens a moment after its start. */
  for (int tries = 0; tries < 600; tries++) {
    int fd = open_unix(path, 0);
    if (fd >= 0) return join(client, fd);
    usleep(100000);
  }
}

static void to_vsock(int client, void *port) {
  int fd = open_vsock(*(unsigned int *)port, 0);
  if (fd >= 0) join(client, fd);
}

static void to_nsm(int client, void *unused) {
  (void)unused;
  serve_nsm(client);
}

static void say_started(void) {
  unsigned char byte = heartbeat;
  int fd = open_vsock(heartbeat_port, 0);
  if (fd < 0 || write_all(fd, &byte, 1) < 0 || read_all(fd, &byte, 1) < 0 || byte != heartbeat) fail("heartbeat");
}

static void mount_folder(unsigned int port, const char *export, const char *folder) {
  char options[512];
  int fd = open_vsock(port, 0);
  if (fd < 0) fail("the parent's 9p server");
  fcntl(fd, F_SETFD, 0);
  snprintf(options, sizeof options, "trans=fd,rfdno=%d,wfdno=%d,version=9p2000.L,cache=none,aname=%s", fd, fd, export);
  if (mount("enclave", folder, "9p", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0) fail(folder);
}

int main(int count, char **words) {
  const char *name = count > 1 ? words[1] : "";
  if (count == 2 && !strcmp(name, "heartbeat")) return say_started(), 0;
  if (count == 5 && !strcmp(name, "mount")) return mount_folder(atoi(words[2]), words[3], words[4]), 0;
  if (count == 4 && !strcmp(name, "from-vsock")) serve(open_vsock(atoi(words[2]), 1), to_unix, words[3]);
  if (count == 4 && !strcmp(name, "to-vsock")) {
    unsigned int port = atoi(words[3]);
    serve(open_unix(words[2], 1), to_vsock, &port);
  }
  if (count == 3 && !strcmp(name, "nsm")) serve(open_unix(words[2], 1), to_nsm, NULL);
  fprintf(stderr, "usage: bridge heartbeat | mount PORT EXPORT FOLDER | from-vsock PORT SOCKET | to-vsock SOCKET PORT | nsm SOCKET\n");
  return 2;
}
