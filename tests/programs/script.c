/* Runs a script of Lua: script FILE [ARGUMENT]... */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    lua_State *lua = luaL_newstate();
    if (argc < 2 || lua == NULL)
        return 2;
    luaL_openlibs(lua);
    if (luaL_loadfile(lua, argv[1]) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
        return 1;
    }
    for (int i = 2; i < argc; i++)
        lua_pushstring(lua, argv[i]);
    if (lua_pcall(lua, argc - 2, 0, 0) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
        return 1;
    }
    lua_close(lua);
    return 0;
}
