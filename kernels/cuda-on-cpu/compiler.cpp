// NVRTC, as TornadoVM's CUDA backend calls it: NVIDIA's own compiler says whether it takes a kernel, for an H100, and g++
// makes a library of it for driver.cpp. The library stands for the image; both stay in the folder "cuda-on-cpu" beside this
// one, under the hash of the source.

#include "include/nvrtc.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const char *const OPTIONS = "-std=c++17 -O1 -w -fPIC -shared -fwrapv -fno-strict-aliasing -ffp-contract=off"
                            // Registers hold anything at first, as on a GPU; not 0.
                            " -ftrivial-auto-var-init=pattern";

fs::path folder() {
  Dl_info here;
  dladdr(reinterpret_cast<void *>(&folder), &here);
  return fs::absolute(here.dli_fname).parent_path() / "cuda-on-cpu";
}

std::string read(const fs::path &file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// Runs a command without what the JVM's environment has for its own libraries.
bool succeeds(const std::string &command) { return std::system(("env -u LD_LIBRARY_PATH " + command).c_str()) == 0; }

/// For each kernel what driver.cpp looks for: how to run blocks of it, and the sizes of its parameters.
std::string entries(const std::string &source) {
  std::ostringstream text;
  const bool barriers = source.find("__syncthreads") != std::string::npos;
  static const std::regex kernel("__global__\\s+void\\s+(\\w+)\\s*\\(([^)]*)\\)");
  static const std::regex parameter("\\s*(.*[\\s*])\\w+\\s*");
  for (std::sregex_iterator found(source.begin(), source.end(), kernel), end; found != end; ++found) {
    std::string name = (*found)[1];
    std::vector<std::string> types;
    std::stringstream list((*found)[2].str());
    for (std::string one; std::getline(list, one, ',');) {
      std::smatch match;
      if (std::regex_match(one, match, parameter)) {
        types.push_back(match[1]);
      }
    }
    text << "extern \"C\" {\nint " << name << "_count = " << types.size() << ";\nsize_t " << name << "_sizes[] = {";
    for (const std::string &type : types) {
      text << "sizeof(" << type << "), ";
    }
    text << "0};\nvoid " << name << "_run(void **p, const unsigned *grid, const unsigned *block, unsigned long from,"
         << " unsigned long to) {\n  runBlocks([](void **p) { " << name << "(";
    for (size_t i = 0; i < types.size(); i++) {
      text << (i == 0 ? "" : ", ") << "*(" << types[i] << "*) p[" << i << "]";
    }
    text << "); }, p, grid, block, from, to, " << (barriers ? "true" : "false") << ");\n}\n}\n";
  }
  return text.str();
}

} // namespace

struct _nvrtcProgram {
  std::string source;
  std::string log;
  std::string image;
};

extern "C" {

nvrtcResult nvrtcVersion(int *major, int *minor) {
  *major = 12;
  *minor = 9;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetNumSupportedArchs(int *count) {
  *count = 1;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetSupportedArchs(int *architectures) {
  *architectures = 90;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCreateProgram(nvrtcProgram *program, const char *source, const char *, int, const char *const *,
                               const char *const *) {
  *program = new _nvrtcProgram{source, "", ""};
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcDestroyProgram(nvrtcProgram *program) {
  delete *program;
  *program = nullptr;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCompileProgram(nvrtcProgram program, int count, const char *const *options) {
  fs::path here = folder();
  char name[17];
  std::snprintf(name, sizeof name, "%016zx", std::hash<std::string>()(program->source));
  fs::path base = here / "kernels" / name;
  fs::path library = base.string() + ".so";
  fs::path log = base.string() + ".log";
  if (!fs::exists(library)) {
    fs::create_directories(base.parent_path());
    std::string kernel = base.string() + ".cu";
    std::ofstream(kernel) << program->source;
    std::string nvidia = (here / "nvrtc").string() + " " + kernel;
    for (int i = 0; i < count; i++) {
      nvidia += std::string(" ") + options[i];
    }
    bool taken = succeeds(nvidia + " >" + log.string() + " 2>&1");
    program->log = read(log);
    if (!taken) {
      return NVRTC_ERROR_COMPILATION;
    }
    std::string code = base.string() + ".cpp";
    std::ofstream(code) << "#include \"device.h\"\n" << program->source << "\n" << entries(program->source);
    std::string made = base.string() + "." + std::to_string(getpid());
    if (!succeeds("g++ " + std::string(OPTIONS) + " -I" + (here / "device").string() + " -o " + made + " " + code + " >" +
                  log.string() + " 2>&1")) {
      program->log = read(log);
      return NVRTC_ERROR_COMPILATION;
    }
    fs::rename(made, library);
  }
  program->image = library;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetCUBINSize(nvrtcProgram program, size_t *size) {
  *size = program->image.size() + 1;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetCUBIN(nvrtcProgram program, char *cubin) {
  std::memcpy(cubin, program->image.c_str(), program->image.size() + 1);
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetPTXSize(nvrtcProgram program, size_t *size) { return nvrtcGetCUBINSize(program, size); }

nvrtcResult nvrtcGetPTX(nvrtcProgram program, char *ptx) { return nvrtcGetCUBIN(program, ptx); }

nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram program, size_t *size) {
  *size = program->log.size() + 1;
  return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetProgramLog(nvrtcProgram program, char *log) {
  std::memcpy(log, program->log.c_str(), program->log.size() + 1);
  return NVRTC_SUCCESS;
}

const char *nvrtcGetErrorString(nvrtcResult result) {
  return result == NVRTC_SUCCESS ? "NVRTC_SUCCESS" : "NVRTC_ERROR_COMPILATION";
}
}
