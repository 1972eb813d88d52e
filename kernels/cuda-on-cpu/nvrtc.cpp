// nvrtc FILE [OPTION...]: compiles a kernel with NVIDIA's compiler, prints its log, and exits with its result. A process of
// its own, since NVIDIA's library does not work beside a driver that is not NVIDIA's.
//
//   nvrtc kernel.cu --gpu-architecture=sm_90 --ptxas-options=-v     also prints registers and what is spilled

#include "include/nvrtc.h"

#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

namespace {

void *open(const std::filesystem::path &library) {
  void *opened = dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (opened == nullptr) {
    std::cerr << dlerror() << "\n";
    std::exit(2);
  }
  return opened;
}

} // namespace

int main(int count, char **arguments) {
  if (count < 2) {
    std::cerr << "nvrtc FILE [OPTION...]\n";
    return 2;
  }
  auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "nvidia";
  open(here / "libnvrtc-builtins.so.12.9");
  void *library = open(here / "libnvrtc.so.12");
  auto create = reinterpret_cast<decltype(&nvrtcCreateProgram)>(dlsym(library, "nvrtcCreateProgram"));
  auto compile = reinterpret_cast<decltype(&nvrtcCompileProgram)>(dlsym(library, "nvrtcCompileProgram"));
  auto logSize = reinterpret_cast<decltype(&nvrtcGetProgramLogSize)>(dlsym(library, "nvrtcGetProgramLogSize"));
  auto getLog = reinterpret_cast<decltype(&nvrtcGetProgramLog)>(dlsym(library, "nvrtcGetProgramLog"));
  std::stringstream source;
  source << std::ifstream(arguments[1]).rdbuf();
  nvrtcProgram program;
  int result = create(&program, source.str().c_str(), arguments[1], 0, nullptr, nullptr);
  if (result == NVRTC_SUCCESS) {
    result = compile(program, count - 2, arguments + 2);
    size_t size = 0;
    logSize(program, &size);
    std::string log(size, '\0');
    getLog(program, log.data());
    std::cout << log.c_str();
  }
  return result;
}
