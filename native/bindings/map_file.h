// A file's pages as an ArrayBuffer: nothing is read until it is touched, and the system may drop what is not used.
#pragma once

#include <fcntl.h>
#include <napi.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace provably {

// mapFile(path): an ArrayBuffer over the whole file, unmapped when it is collected. Throws a JavaScript error with the system's reason.
//
// The mapping is private and writable: whoever writes by mistake changes a copy of that page, neither the file nor what others see of it,
// and does not crash. Swap space is not reserved for copies that nobody should make. The file must not get shorter while it is mapped.
inline Napi::Value mapFile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = info[0].As<Napi::String>();
  const auto fail = [&](const char* what) {
    const std::string reason = std::strerror(errno);
    Napi::Error::New(env, std::string(what) + ": " + reason).ThrowAsJavaScriptException();
    return env.Undefined();
  };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail("open");
  struct stat status{};
  if (fstat(file, &status) != 0) {
    const Napi::Value failed = fail("fstat");
    close(file);
    return failed;
  }
  const size_t size = static_cast<size_t>(status.st_size);
#ifdef MAP_NORESERVE
  constexpr int kFlags = MAP_PRIVATE | MAP_NORESERVE;
#else
  constexpr int kFlags = MAP_PRIVATE;
#endif
  void* const data = mmap(nullptr, size, PROT_READ | PROT_WRITE, kFlags, file, 0);
  const int reason = errno;
  close(file);  // the mapping holds the file
  if (data == MAP_FAILED) {
    errno = reason;
    return fail("mmap");
  }
  napi_value buffer = nullptr;
  const auto unmap = [](napi_env, void* pages, void* length) { munmap(pages, reinterpret_cast<size_t>(length)); };
  const napi_status made = napi_create_external_arraybuffer(env, data, size, unmap, reinterpret_cast<void*>(size), &buffer);
  if (made != napi_ok) {
    // Some runtimes forbid memory that is not theirs; then the caller reads the file instead.
    munmap(data, size);
    Napi::Error::New(env, "this runtime allows no memory from outside").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  return Napi::Value(env, buffer);
}

}  // namespace provably
