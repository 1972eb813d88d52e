#pragma once

#define nvtxNameCuStreamA(stream, name) ((void)(stream), (void)(name))
